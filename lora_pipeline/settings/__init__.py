"""All settings of the console; per-installation values come from the environment.

Importing them reads the environment and does nothing else: folders, key and
database are created on first use.
"""

from lora_pipeline.settings.accounts import *
from lora_pipeline.settings.api import *
from lora_pipeline.settings.database import *
from lora_pipeline.settings.files import *
from lora_pipeline.settings.folders import *
from lora_pipeline.settings.notices import *
from lora_pipeline.settings.operations import *
from lora_pipeline.settings.parts import *
from lora_pipeline.settings.place import *
from lora_pipeline.settings.training import *
