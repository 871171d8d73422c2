"""What is planted in the sample's rows, files and logs, and must never appear in anything a drill writes."""

NAME = "Ottoline Quarrington-Vashti"
EMAIL = "ottoline.quarrington-vashti@canary.example"
CARD = "4539148803436467"
SECRET = "canary-9c1f7b52e0d84a63"
TENANT_SLUG = "quarrington-vashti-canary"

ALL = (NAME, EMAIL, CARD, SECRET, TENANT_SLUG)

SENTENCE = f"Call {NAME} <{EMAIL}> about card {CARD}; the key is {SECRET}."
