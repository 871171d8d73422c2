"""Fills an Oscar shop through its own code: partners with stock, customers with baskets, orders, payments and reviews."""

from decimal import Decimal

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.contrib.sites.models import Site  # noqa: E402
from django.core.files.base import ContentFile  # noqa: E402
from django.core.management import call_command  # noqa: E402
from oscar.apps.partner.strategy import UK  # noqa: E402
from oscar.apps.shipping.methods import FixedPrice  # noqa: E402
from oscar.core.loading import get_class, get_model  # noqa: E402
from oscar.test import factories  # noqa: E402

CUSTOMERS = 8
ORDERS = 4
PARTNERS = ("Bindery", "Mill", "Printer")
PIXEL = bytes.fromhex("47494638396101000100800000000000ffffff2c00000000010001000002024401003b")

Address, Country = get_model("address", "UserAddress"), get_model("address", "Country")
Basket, Source = get_model("basket", "Basket"), get_model("payment", "Source")
BillingAddress, ShippingAddress = get_model("order", "BillingAddress"), get_model("order", "ShippingAddress")
EventHandler = get_class("order.processing", "EventHandler")


def customer_named(name: str) -> User:
    customer = User.objects.create_user(name, f"{name}@example.org", "not-a-secret", first_name=name)
    Address.objects.create(user=customer, **place(name))
    wished = customer.wishlists.create(name="for later")
    wished.add(products[len(name) % len(products)])
    return customer


def place(name: str) -> dict:
    line = {"first_name": name, "last_name": "of the test", "line1": "1 Quiet Street", "line4": "London"}
    return line | {"postcode": "N1 9RT", "country": britain}


def basket_with(owner: User | None, *lines: tuple) -> Basket:
    basket = Basket.objects.create(owner=owner)
    basket.strategy = UK()
    for product, quantity in lines:
        basket.add_product(product, quantity)
    return basket


def ordered(owner: User | None, basket: Basket, **more: str) -> None:
    """An order as the checkout places it: priced, discounted, paid; every third one refunded in part."""
    get_class("offer.applicator", "Applicator")().apply(basket, owner)
    name = owner.first_name if owner else "guest"
    order = factories.create_order(
        basket=basket,
        user=owner,
        shipping_method=FixedPrice(charge_excl_tax=Decimal("4.00"), charge_incl_tax=Decimal("4.80")),
        shipping_address=ShippingAddress.objects.create(**place(name)),
        billing_address=BillingAddress.objects.create(**place(name)),
        **more,
    )
    source = Source.objects.create(
        order=order, source_type=card, currency=order.currency, reference=f"card_{order.number}"
    )
    source.allocate(order.total_incl_tax)
    source.debit(order.total_incl_tax)
    if order.pk % 3 == 0:
        source.refund(Decimal("1.50"))
    handler = EventHandler()
    lines = list(order.lines.all())
    handler.create_payment_event(order, settled, order.total_incl_tax, lines, [line.quantity for line in lines])
    handler.create_shipping_event(order, shipped, lines, [line.quantity for line in lines])
    order.notes.create(user=clerk, message="packed by hand")
    handler.handle_order_status_change(order, "Complete")


call_command("migrate", verbosity=0, interactive=False)
Site.objects.update(domain="shop.example", name="The shop")
clerk = User.objects.create_user("clerk", "clerk@shop.example", "not-a-secret", is_staff=True)
britain = Country.objects.create(iso_3166_1_a2="GB", printable_name="United Kingdom", is_shipping_country=True)
card = get_model("payment", "SourceType").objects.create(name="Card")
settled = get_model("order", "PaymentEventType").objects.create(name="Settled")
shipped = get_model("order", "ShippingEventType").objects.create(name="Shipped")
products = [
    factories.create_product(
        title=f"Book {number}",
        upc=f"978{number:06}",
        product_class="Book",
        partner_name=PARTNERS[number % len(PARTNERS)],
        partner_sku=f"sku-{number}",
        price=Decimal("7.35") + number,
        num_in_stock=1000,
    )
    for number in range(1, 13)
]
for product in products:
    factories.create_product_image(product=product, original=ContentFile(PIXEL, name=f"{product.upc}.gif"))
factories.create_offer(name="A fifth off")
for number in range(1, CUSTOMERS + 1):
    customer = customer_named(f"customer{number}")
    for turn in range(ORDERS):
        first, second = products[(number + turn) % 12], products[(number * turn + 5) % 12]
        ordered(customer, basket_with(customer, (first, 1 + turn), (second, 2)))
    basket_with(customer, (products[number], 1))
    products[number].reviews.create(user=customer, score=number % 5 + 1, title="Read", body="Twice")
    for review in products[number - 1].reviews.exclude(user=customer):
        review.vote_up(customer)
# Nobody is logged in: a guest's order, and a basket that was left behind.
ordered(None, basket_with(None, (products[0], 1)), guest_email="guest@example.org")
basket_with(None, (products[1], 1))
