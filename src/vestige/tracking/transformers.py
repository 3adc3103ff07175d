"""The tracker as a callback of the Hugging Face Trainer."""

from typing import Any

from vestige.core import check
from vestige.core.errors import InputError
from vestige.tracking.tracker import Tracker

try:
    from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
except ImportError as error:
    raise InputError('transformers is not installed; pip install "vestige[transformers]"') from error


class TrackerCallback(TrainerCallback):
    """Records a run at its start (step 0), after every so many epochs, and at its end; steps are epochs.

    Records in the main process only. Raises InputError if `every` is below 1.
    """

    def __init__(self, tracker: Tracker, every: int = 1) -> None:
        self.tracker = tracker
        self.every = check.at_least("every", every, 1)

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Step 0, unless the run continues from a checkpoint."""
        if state.global_step == 0:
            self._record(state, kwargs["model"], 0.0)

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """The epochs done, where it is their turn."""
        done = round(state.epoch or 0)
        if done % self.every == 0:
            self._record(state, kwargs["model"], float(done))

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """The last epoch, or the part of it that was trained, if it was not recorded yet."""
        done = float(state.epoch or 0)
        if self.tracker.steps and done > self.tracker.steps[-1]:
            self._record(state, kwargs["model"], done)

    def _record(self, state: TrainerState, model: Any, step: float) -> None:
        if state.is_world_process_zero:
            self.tracker.record(model, step)
