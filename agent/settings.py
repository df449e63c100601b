"""What a site sets once in `loupe.toml`, and which model drives the agent."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from agent.abstention import Abstention
from tools.errors import UsageError

__all__ = ["SETTINGS", "Settings", "load_settings", "model_choice"]

SETTINGS = "loupe.toml"
_DEFAULT = "pocket"


class Settings(BaseModel):
    """What a site sets once, in `loupe.toml` in the working folder.

    Attributes:
        model: Model string of the agent.
        user: Who decides, for the ledger and the report.
        ledger: Whether past cases are kept.
        abstention: How sure the model must be of its programs, whatever the checkpoint says.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = ""
    user: str = ""
    ledger: bool = True
    abstention: Abstention | None = None


def load_settings(folder: Path | None = None) -> Settings:
    """Reads `loupe.toml`; a missing file leaves everything at its default.

    Raises:
        UsageError: The file cannot be read, is no TOML, or holds a key that there is not.
    """
    path = (folder or Path.cwd()) / SETTINGS
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        return Settings.model_validate(content)
    except FileNotFoundError:
        return Settings()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", "mend it or take it away") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path} is no TOML: {error}", 'e.g. model = "Qwen/Qwen2.5-VL-7B-Instruct"'
        ) from error
    except ValidationError as error:
        problems = "; ".join(f"{each['loc'][0]}: {each['msg']}" for each in error.errors())
        known = ", ".join(Settings.model_fields)
        raise UsageError(f"{path}: {problems}", f"known keys: {known}") from error


def model_choice(given: str, of_recipe: str, settings: Settings) -> str:
    """Returns the model string that wins: the command line's, the recipe's, the site's, then pocket."""
    return given or of_recipe or settings.model or _DEFAULT
