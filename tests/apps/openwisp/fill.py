"""Fills OpenWISP through its own models: organisations with members and owners, subnets of their own and shared ones."""

import django

django.setup()

from django.contrib.sites.models import Site  # noqa: E402
from django.core.management import call_command  # noqa: E402
from openwisp_ipam.models import Subnet  # noqa: E402
from openwisp_users.models import Organization, OrganizationOwner, OrganizationUser, User  # noqa: E402

ORGANISATIONS = 6
MEMBERS = 4
ADDRESSES = 9


def subnet(network: str, organization: Organization | None, master: Subnet | None = None) -> Subnet:
    made = Subnet(name=f"net {network}", subnet=network, organization=organization, master_subnet=master)
    made.full_clean()
    made.save()
    for _ in range(ADDRESSES):
        made.request_ip({"description": f"host in {network}"})
    return made


def member(organization: Organization, user: User, is_admin: bool) -> OrganizationUser:
    made = OrganizationUser(organization=organization, user=user, is_admin=is_admin)
    made.full_clean()
    made.save()
    return made


call_command("migrate", verbosity=0, interactive=False)
Site.objects.update(domain="network.example", name="The operator's network")
admin = User.objects.create_superuser("admin", "admin@operator.example", "not-a-secret")
# The organisation that OpenWISP's migrations make is the operator's.
member(Organization.objects.get(slug="default"), admin, is_admin=True)
# A person who belongs to every organisation: the reason why users are shared.
consultant = User.objects.create_user("consultant", "consultant@elsewhere.example", "not-a-secret")
backbone = subnet("10.0.0.0/8", None)
for number in range(1, ORGANISATIONS + 1):
    organization = Organization(name=f"Organisation {number}", slug=f"organisation-{number}")
    organization.full_clean()
    organization.save()
    members = [
        member(
            organization,
            User.objects.create_user(f"user{number}{place}", f"user{place}@org{number}.example", "not-a-secret"),
            is_admin=place == 1,
        )
        for place in range(1, MEMBERS + 1)
    ]
    member(organization, consultant, is_admin=False)
    if not OrganizationOwner.objects.filter(organization=organization).exists():
        OrganizationOwner.objects.create(organization=organization, organization_user=members[0])
    # A part of the operator's shared network, a network of its own, and one within that.
    subnet(f"10.{number}.0.0/16", organization, backbone)
    own = subnet(f"192.168.{number}.0/24", organization)
    subnet(f"192.168.{number}.128/25", organization, own)
