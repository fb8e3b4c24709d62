"""Studies: many runs as one plan, a ledger of what is done, and what to run next."""

from clearcoat.studies.confirming import Confirmed, ConfirmedCell, confirm
from clearcoat.studies.data import StudyData, open_data
from clearcoat.studies.grid_spec import SupplementSpec
from clearcoat.studies.ledger import LEDGER, Confirmation, Entry, Ledger, Look, append, read_ledger
from clearcoat.studies.looking import LookRequest, PlannedLook, plan_look
from clearcoat.studies.planning import CellState, Progress, plan
from clearcoat.studies.runs import (
    GRID_ARM,
    SELF_TRAINED_ARM,
    SELF_TRAINING_CONTROL,
    CellKey,
    CellPlan,
    PlannedRun,
    Skipped,
    StudyPlan,
)
from clearcoat.studies.spec import StudySpec, load_study
from clearcoat.studies.supplement import plan_supplement
from clearcoat.studies.transfer import plan_transfer
from clearcoat.studies.transfer_spec import TransferSpec
from clearcoat.studies.work import Conditions, conduct

__all__ = [
    "GRID_ARM",
    "LEDGER",
    "SELF_TRAINED_ARM",
    "SELF_TRAINING_CONTROL",
    "CellKey",
    "CellPlan",
    "CellState",
    "Conditions",
    "Confirmation",
    "Confirmed",
    "ConfirmedCell",
    "Entry",
    "Ledger",
    "Look",
    "LookRequest",
    "PlannedLook",
    "PlannedRun",
    "Progress",
    "Skipped",
    "StudyData",
    "StudyPlan",
    "StudySpec",
    "SupplementSpec",
    "TransferSpec",
    "append",
    "conduct",
    "confirm",
    "load_study",
    "open_data",
    "plan",
    "plan_look",
    "plan_supplement",
    "plan_transfer",
    "read_ledger",
]
