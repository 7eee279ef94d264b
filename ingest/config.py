"""Settings from options and ``INGEST_*`` variables, with every error at once."""

import math
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from types import UnionType
from typing import Any, get_args
from urllib.parse import urlsplit

import msgspec

from ingest.access.access import AccessSettings
from ingest.access.loopback import is_loopback, resolves
from ingest.access.sources import TokenSources
from ingest.access.tls import TlsFiles
from ingest.access.unusable import Unusable
from ingest.settings import Declared, Settings, declared

# What Kubernetes sets for a service named ingest.
_KUBERNETES = re.compile(r"INGEST_SERVICE_(HOST|PORT.*)|INGEST_PORT_[0-9]+_.*")
_BOOLEANS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


class ConfigError(Exception):
    """What is wrong with the configuration: a sentence for each error, each naming its key."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__("\n".join(errors))
        self.errors = errors


def load(options: Mapping[str, str | None], environment: Mapping[str, str]) -> Settings:
    """``options`` (by setting name) win over ``environment``, which wins over the defaults. Raises ConfigError."""
    values: dict[str, Any] = {}
    errors = _unknown_variables(environment)
    for setting in declared():
        option = options.get(setting.name)
        text, source = (
            (option, setting.option) if option is not None else (environment.get(setting.variable), setting.variable)
        )
        if text is None:
            continue
        try:
            values[setting.name] = _parsed(setting, text)
        except ValueError as error:
            errors.append(f"{source}: {error}")
    settings = Settings(**values)
    errors += _contradictions(settings)
    if errors:
        raise ConfigError(errors)
    return settings


def _unknown_variables(environment: Mapping[str, str]) -> list[str]:
    known = {setting.variable for setting in declared()}
    unknown = (name for name in sorted(environment) if name.startswith("INGEST_") and name not in known)
    return [f"{name}: there is no such setting" for name in unknown if not _KUBERNETES.fullmatch(name)]


def _parsed(setting: Declared, text: str) -> Any:
    value = _converted(setting.type, text)
    if setting.choices and value not in setting.choices:
        raise ValueError(f"must be one of {', '.join(setting.choices)}, not {text!r}")
    if setting.least is not None and value < setting.least:
        raise ValueError(f"must be at least {setting.least:g}, not {text!r}")
    return value


def _converted(kind: Any, text: str) -> Any:
    if isinstance(kind, UnionType):
        if not text:
            return None
        kind = get_args(kind)[0]
    if kind is bool:
        return _boolean(text)
    try:
        value = kind(text)
    except ValueError:
        raise ValueError(f"must be {'a whole number' if kind is int else 'a number'}, not {text!r}") from None
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"must be a finite number, not {text!r}")
    return value


def _boolean(text: str) -> bool:
    if text.lower() not in _BOOLEANS:
        raise ValueError(f"must be true or false, not {text!r}")
    return _BOOLEANS[text.lower()]


def _contradictions(settings: Settings) -> list[str]:
    errors = []
    if settings.port > 65_535:
        errors.append("port: must be at most 65535")
    if settings.workers > 1:
        errors += _workers_errors(settings)
    errors += _access_errors(settings)
    if settings.data_dir.exists() and not settings.data_dir.is_dir():
        errors.append(f"data_dir: {settings.data_dir} is not a folder")
    if settings.archive_dir is not None:
        errors += _archive_errors(settings.archive_dir, settings.data_dir)
    if settings.store == "influx":
        errors += _influx_errors(settings)
    return errors


def _workers_errors(settings: Settings) -> list[str]:
    errors = []
    if settings.store == "embedded":
        errors.append("workers: the embedded store has one writer: leave --workers out, or take --store influx")
    if sys.platform != "linux":
        errors.append("workers: only Linux spreads connections over several: leave --workers out")
    return errors


def _access_errors(settings: Settings) -> list[str]:
    errors = _tls_errors(settings)
    try:
        tokens = access_settings(settings).tokens.read()
    except Unusable as bad:
        return errors + bad.errors
    if not resolves(settings.host):
        return [*errors, f"host: {settings.host!r} does not resolve to an address of this machine"]
    if not (tokens or settings.allow_anonymous or is_loopback(settings.host)):
        errors.append(
            f"host: {settings.host or 'all addresses'} may be reached from other machines: set INGEST_TOKENS_FILE"
            " or INGEST_TOKENS, listen on 127.0.0.1, or let everybody read and write with --allow-anonymous"
        )
    return errors


def _tls_errors(settings: Settings) -> list[str]:
    if (settings.tls_certificate_file is None) != (settings.tls_key_file is None):
        return ["tls_key_file: HTTPS needs both tls_certificate_file and tls_key_file"]
    tls = access_settings(settings).tls
    if tls is None:
        alone = settings.tls_client_ca_file is not None
        return ["tls_client_ca_file: client certificates need HTTPS: set tls_certificate_file, too"] if alone else []
    try:
        tls.context()
    except Unusable as bad:
        return bad.errors
    return []


def access_settings(settings: Settings) -> AccessSettings:
    """Who may come in, of a configuration."""
    certificate, key = settings.tls_certificate_file, settings.tls_key_file
    return AccessSettings(
        tokens=TokenSources(settings.tokens, settings.tokens_file),
        tls=TlsFiles(certificate, key, settings.tls_client_ca_file) if certificate and key else None,
        allow_anonymous=settings.allow_anonymous,
        host_names=settings.host_names.replace(",", " ").split(),
    )


def _archive_errors(archive_dir: Path, data_dir: Path) -> list[str]:
    if archive_dir.exists() and not archive_dir.is_dir():
        return [f"archive_dir: {archive_dir} is not a folder"]
    if archive_dir.resolve() == data_dir.resolve():
        return ["archive_dir: must be another folder than data_dir"]
    return []


def _influx_errors(settings: Settings) -> list[str]:
    errors = []
    if not _is_http_url(settings.influx_url):
        errors.append(f"influx_url: must be like http://127.0.0.1:8086, not {settings.influx_url!r}")
    errors += [
        f"{name}: must not be empty"
        for name in ("influx_org", "influx_bucket", "influx_rollup_bucket")
        if not getattr(settings, name)
    ]
    if not settings.influx_token and settings.influx_token_file is None:
        errors.append(
            "influx_token_file: --store influx needs a token (INGEST_INFLUX_TOKEN_FILE or INGEST_INFLUX_TOKEN)"
        )
    elif settings.influx_token and not _is_token(settings.influx_token):
        errors.append("influx_token: a token is one line of ASCII without blanks")
    for name in ("influx_token_file", "influx_read_token_file"):
        path = getattr(settings, name)
        if path is not None and not _holds_a_token(path):
            errors.append(
                f"{name}: {path} cannot be read or holds no token; `python -m influx apply` writes token files"
            )
    return errors


def _is_http_url(text: str) -> bool:
    try:
        url = urlsplit(text)
        return url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:
        return False


def _is_token(text: str) -> bool:
    # It becomes a header; anything else in it would break every request.
    return text.isascii() and text.isprintable() and " " not in text


def _holds_a_token(path: Path) -> bool:
    try:
        text = _token(path)
    except (OSError, UnicodeDecodeError):
        return False
    return bool(text) and _is_token(text)


class InfluxTokens(msgspec.Struct, frozen=True):
    """The tokens' texts: one to write, one to read (the same where there is only one)."""

    write: str
    read: str


def influx_tokens(settings: Settings) -> InfluxTokens:
    """Read the token files of a checked configuration."""
    write = settings.influx_token or _token(settings.influx_token_file)
    return InfluxTokens(write, _token(settings.influx_read_token_file) or write)


def _token(path: Path | None) -> str:
    return path.read_text().strip() if path else ""
