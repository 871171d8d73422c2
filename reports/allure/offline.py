"""Makes a page that was built elsewhere ask nobody for anything, and refuses one that still would."""

import re

# The page's own bundle is a data: address and evaluates nothing; whatever it may try to fetch is refused by the browser.
_POLICY = (
    '<meta http-equiv="Content-Security-Policy" content="'
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' data: blob:; style-src 'unsafe-inline' data: blob:; "
    "img-src data: blob:; font-src data:; media-src data: blob:; frame-src data: blob:; connect-src data: blob:; "
    "worker-src data: blob:; base-uri 'self' file:; form-action 'none'\">"
)
_SCRIPT = re.compile(r"<script\b([^>]*)>(.*?)</script\s*>", re.DOTALL | re.IGNORECASE)
_ANALYTICS = re.compile(
    r"googletagmanager|google-analytics|\bgtag\s*\(|\bdataLayer\b|mc\.yandex|plausible\.io|posthog|segment\.io",
    re.IGNORECASE,
)
_REMOTE = re.compile(
    r"""<(?:script|link|img|iframe|source|video|audio|embed|object|input|form|base)\b[^>]*?\b
        (?:src|href|srcset|data|action|poster)\s*=\s*["']?\s*((?:https?:|wss?:|ftp:|//)[^"'\s>]*)
        | <meta\b[^>]*http-equiv\s*=\s*["']?refresh[^>]*((?:https?:|//)[^"'\s>]*)
        | @import\s+(?:url\()?\s*["']?((?:https?:|//)[^"')\s;]*)
        | url\(\s*["']?((?:https?:|//)[^"')\s]*)""",
    re.IGNORECASE | re.VERBOSE,
)
# The results themselves, and the page's own bundle: no address can stand in there, and they are nearly all of the page.
_HELD = re.compile(r"[A-Za-z0-9+/=]{1000,}")
_HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)


class NotOffline(Exception):
    """The page would still ask somebody for something; the message says what."""


def offline(html: str) -> str:
    """The page without its analytics, under a policy that allows no request. Raises NotOffline.

    A small inline script is judged by its text, a linked one by its address; the bundle, megabytes of base64 in a
    `src`, is left as it is."""
    cleaned = _SCRIPT.sub(lambda script: "" if _is_analytics(script) else script[0], html)
    if left := remote_loads(cleaned):
        raise NotOffline(f"the page would still load {', '.join(left[:3])}")
    if not _HEAD.search(cleaned):
        raise NotOffline("the page has no <head> to put its policy in")
    return _HEAD.sub(lambda head: head[0] + _POLICY, cleaned, count=1)


def remote_loads(html: str) -> list[str]:
    """Addresses outside the page that its markup loads by itself, and what is left of analytics."""
    markup = _HELD.sub("", html)
    loads = [next(filter(None, match.groups())) for match in _REMOTE.finditer(markup)]
    return loads + [match[0] for match in _ANALYTICS.finditer(markup)]


def _is_analytics(script: re.Match[str]) -> bool:
    return bool(
        _ANALYTICS.search(_HELD.sub("", script[2])) or (":" in script[1] and _ANALYTICS.search(script[1][:4096]))
    )
