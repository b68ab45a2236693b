"""What every group of settings shares."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Port = Annotated[int, Field(ge=0, le=65535)]
Positive = Annotated[float, Field(gt=0)]


class SettingsGroup(BaseModel):
    """A group of settings; a name that it does not know is refused."""

    model_config = ConfigDict(extra="forbid")
