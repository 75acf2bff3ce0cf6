"""The removal of passwords, tokens and keys from command lines and texts before they are stored or printed."""

import re
from collections.abc import Sequence

MASK = "***"

# A name is split into its words (api-key, apiKey, API_KEY); so `tokens` and `key_file` are no secrets, and `token` is.
_WORDS = frozenset({
    "apikey", "auth", "authorization", "bearer", "cookie", "credential", "credentials", "jwt", "pass", "passcode",
    "passphrase", "passwd", "password", "pin", "psk", "pw", "pwd", "secret", "session", "sessionid", "sig", "signature",
    "token",
})  # fmt: skip
_KEYS = frozenset({"access", "api", "encryption", "master", "private", "secret", "shared", "ssh", "subscription"})
_SOURCES = frozenset({"env", "file", "path"})  # words for the place that a secret is read from: not secret themselves
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

# Lengths are bounded, so that the time grows with the length of the text and no faster.
_USER = re.compile(r"(?P<scheme>\b[a-zA-Z][a-zA-Z0-9+.-]{0,30}://)[^\s/?#]{0,2000}@")
# user:password@host, after the kind of a meter or alone; the target of `trace:` is a file, whose name may hold an @
_PAIR = re.compile(
    r"(?<![\w@/.-])(?!trace:)(?P<kind>[a-z]\w{0,40}:)?[^\s:/@,=]{1,100}:[^\s/@,]{1,200}@(?=[\w\[])", re.ASCII
)
_NAME = re.compile(
    r"""(?<![\w.])(?P<quote>["']?)-{0,2}(?P<name>[A-Za-z][\w.-]{0,60})(?P=quote)(?P<sign>\s{0,3}[=:]\s{0,3})"""
)
_OPTION = re.compile(r"(?P<quote>)(?<!\w)(?P<name>--[A-Za-z][\w-]{0,60})(?P<sign>\s{1,3})(?=[^\s-])")
_WORD_OF_TEXT = re.compile(r"""(?!//)(?:"[^"]*"?|'[^']*'?|[^\s&"']*[^\s&"':;,])""")
_REST_OF_SETTING = re.compile(r"(?!//).+?(?=,\s{0,3}[\w-]{1,60}\s{0,3}=|&[\w.-]{1,60}=|\Z)", re.DOTALL)
_HEADER = re.compile(
    r"(?i)\b(?P<name>(?:proxy-)?authorization|(?:set-)?cookie|x-[\w-]{0,40}(?:token|key|secret|auth)[\w-]{0,40})"
    r"(?P<sign>\s{0,3}[:=]\s{0,3})[^\r\n\"']+"
)
_SCHEME = re.compile(r"\b(?P<scheme>(?i:bearer|basic))(?P<sign>\s{1,3})(?=\S{0,99}\d|\S{16})[\w+/=.~-]{6,}")
_SHAPE = re.compile(
    r"\b(?:gh[pousr]_\w{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}|sk-[\w-]{16,}|xox[abprs]-[\w-]{8,}|AKIA[A-Z0-9]{12,}|"
    r"hf_\w{16,}|AIza[\w-]{20,}|eyJ[\w-]{4,2000}\.[\w-]+(?:\.[\w-]*)?)"
)
_BLOCK = re.compile(
    r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)", re.DOTALL
)
_REFUSED = re.compile(r"\bkey (?P<quote>)(?P<name>[\w.\[\]-]{1,100})(?P<sign>): [^\n]{0,500}?\bgot ")
_REFUSED_VALUE = re.compile(r"""(?:'[^'\n]*['…]|"[^"\n]*["…]|\S+)(?=$| \(|; )""", re.MULTILINE)
_MASKED = re.compile(r"\*\*\*(?:[,&;]|\Z)")
_NO_VALUES = frozenset({"nothing", "none", "both", "expected", "key"})


def is_secret_name(name: str) -> bool:
    """Return whether a key, option or variable of this name holds a secret, and not the place of one."""
    words = [word.lower() for word in _WORD.findall(name)]
    if not words or words[-1] in _SOURCES:
        return False
    return bool(_WORDS & set(words)) or words == ["key"] or (words[-1] == "key" and bool(_KEYS & set(words)))


def scrub_text(text: str) -> str:
    """Return a text with a mask in place of each credential: in addresses, headers, and after names of secrets."""
    text = _BLOCK.sub(MASK, text)
    text = _HEADER.sub(rf"\g<name>\g<sign>{MASK}", text)
    text = _SCHEME.sub(rf"\g<scheme>\g<sign>{MASK}", text)
    text = _USER.sub(rf"\g<scheme>{MASK}@", text)
    text = _PAIR.sub(lambda match: f"{match['kind'] or ''}{MASK}@", text)
    text = _masked(text, _NAME, _WORD_OF_TEXT)
    text = _masked(text, _OPTION, _WORD_OF_TEXT)
    return _SHAPE.sub(MASK, text)


def scrub_message(line: str) -> str:
    """Return a line of error or warning without credentials, nor the value that a key of a secret has."""
    return scrub_text(_masked(line, _REFUSED, _REFUSED_VALUE))


def scrub_arguments(arguments: Sequence[str]) -> tuple[str, ...]:
    """Return the arguments of a command without credentials, which may also follow the option that names them."""
    clean: list[str] = []
    before = ""
    for argument in arguments:
        if not argument.startswith("-") and is_secret_name(before):
            clean.append(MASK)
        elif before in {"-u", "--user"} and ":" in argument:
            clean.append(f"{argument.partition(':')[0]}:{MASK}")
        else:
            clean.append(scrub_text(_masked(argument, _NAME, _REST_OF_SETTING)))
        before = argument if argument.startswith("-") and "=" not in argument else ""
    return tuple(clean)


def _masked(text: str, names: re.Pattern[str], values: re.Pattern[str]) -> str:
    """Return a text with a mask for each value that follows the name of a secret."""
    parts: list[str] = []
    copied = at = 0
    while name := names.search(text, at):
        at = name.end()
        value = values.match(text, at) if is_secret_name(name["name"]) else None
        if value is None or value[0] in _NO_VALUES or _MASKED.match(value[0]) or _is_prose(name, value[0]):
            continue
        parts += [text[copied:at], MASK]
        copied = at = value.end()
    return "".join([*parts, text[copied:]])


def _is_prose(name: re.Match[str], value: str) -> bool:
    """Return whether a name and a colon are part of a sentence (`J/token: modelled`)."""
    words = {"token", "pass", "session", "pin"}
    return ":" in name["sign"] and not name["quote"] and name["name"].lower() in words and not re.search(r"\d", value)
