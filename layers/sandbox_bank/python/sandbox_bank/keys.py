"""What the bank derives from its one secret, which the merchant knows too: each purpose has a key of its own."""

import hashlib
import hmac

from billfold import aws


def derived(label: str) -> bytes:
    """The key for one purpose."""
    return hmac.new(aws.secret("sandbox-bank").encode(), label.encode(), hashlib.sha256).digest()


def mark(label: str, text: str) -> str:
    """A keyed hash: the text cannot be had from it."""
    return hmac.new(derived(label), text.encode(), hashlib.sha256).hexdigest()


def token(authentication: str) -> str:
    """What charges on an approved card are made with. It is stored nowhere."""
    return f"{authentication}.{mark('tokens', authentication)[:32]}"


def authentication_of(text: str) -> str:
    """The authentication that a token stands for; empty when it is none of ours."""
    authentication = text.partition(".")[0]
    return authentication if hmac.compare_digest(token(authentication).encode(), text.encode()) else ""


def page_secret(authentication: str) -> str:
    """What opens the page on which a holder confirms an authentication. It is stored nowhere."""
    return f"{authentication}-{mark('pages', authentication)[:32]}"


def page_of(secret: str) -> str:
    """The authentication that a page's secret stands for; empty when it is none of ours."""
    authentication = secret.rpartition("-")[0]
    return authentication if hmac.compare_digest(page_secret(authentication).encode(), secret.encode()) else ""


def calls_allowed(authorization: str) -> bool:
    """Whether an Authorization header shows the key for calls."""
    return hmac.compare_digest(f"Bearer {derived('calls').hex()}".encode(), authorization.encode())
