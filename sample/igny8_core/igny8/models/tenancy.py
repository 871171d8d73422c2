"""Who the customers are: tenants, the people in them and what they have subscribed to."""

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.utils import timezone

from ..columns import CaseInsensitiveEmailField, MoneyField


class Currency(models.Model):
    code = models.CharField(max_length=3, primary_key=True)
    name = models.CharField(max_length=60)
    minor_units = models.PositiveSmallIntegerField(help_text="decimals an amount may have")

    class Meta:
        db_table = "igny8_currencies"
        verbose_name_plural = "currencies"

    def __str__(self):
        return self.code


class Plan(models.Model):
    code = models.SlugField(unique=True)
    name = models.CharField(max_length=60)
    monthly_credits = MoneyField()
    price = MoneyField()
    currency = models.ForeignKey(Currency, models.PROTECT, related_name="plans")

    class Meta:
        db_table = "igny8_plans"

    def __str__(self):
        return self.name


class Tenant(models.Model):
    """The root of tenancy: every owned row leads to one of these."""

    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=80, unique=True)
    plan = models.ForeignKey(Plan, models.PROTECT, related_name="tenants")
    currency = models.ForeignKey(Currency, models.PROTECT, related_name="tenants")
    credits_balance = MoneyField(default=0)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "igny8_tenants"

    def __str__(self):
        return self.name


class UserManager(BaseUserManager):
    use_in_migrations = False

    def create_user(self, email, password=None, **fields):
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email, password=None, **fields):
        return self.create_user(email, password, **{**fields, "is_staff": True, "is_superuser": True})


class User(AbstractBaseUser, PermissionsMixin):
    """A person, who signs in with an e-mail address and may belong to several tenants."""

    email = CaseInsensitiveEmailField(unique=True)
    full_name = models.CharField(max_length=120)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(default=timezone.now)
    tenants = models.ManyToManyField(Tenant, through="Membership", related_name="users")

    objects = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["full_name"]

    class Meta:
        db_table = "igny8_users"

    def __str__(self):
        return self.full_name


class Membership(models.Model):
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=[(r, r) for r in ("owner", "editor", "viewer")])
    created_at = models.DateTimeField()

    class Meta:
        db_table = "igny8_memberships"
        constraints = [models.UniqueConstraint(fields=["tenant", "user"], name="igny8_membership_once")]

    def __str__(self):
        return f"{self.user_id} in {self.tenant_id}"
