from django.db import models


class Doctor(models.Model):
    name = models.CharField(max_length=60)
    user = models.ForeignKey("auth.User", models.PROTECT)
    country = models.ForeignKey("customers.Country", models.PROTECT)


class Visit(models.Model):
    doctor = models.ForeignKey(Doctor, models.CASCADE)
    day = models.DateField(db_index=True)
    number = models.PositiveIntegerField()
    note = models.TextField(blank=True)

    class Meta:
        indexes = [models.Index(fields=["doctor", "day"], name="visit_doctor_day")]
        constraints = [
            models.UniqueConstraint(fields=["doctor", "number"], name="visit_number"),
            models.CheckConstraint(condition=models.Q(number__gt=0), name="visit_counts"),
        ]
