"""Column types that Postgres has and Django has no field for."""

from django.db import models


class CaseInsensitiveEmailField(models.EmailField):
    """An e-mail address kept as citext on Postgres, so that its unique index ignores case."""

    def db_type(self, connection):
        return "citext" if connection.vendor == "postgresql" else super().db_type(connection)


class LargeObjectField(models.PositiveBigIntegerField):
    """The oid of a large object; a plain number where there are none."""

    def db_type(self, connection):
        return "oid" if connection.vendor == "postgresql" else super().db_type(connection)

    def db_check(self, connection):
        return None


class MoneyField(models.DecimalField):
    """numeric(14,3): three decimals hold every currency there is, from the yen (0) to the Kuwaiti dinar (3)."""

    def __init__(self, *args, **kwargs):
        kwargs["max_digits"], kwargs["decimal_places"] = 14, 3
        super().__init__(*args, **kwargs)
