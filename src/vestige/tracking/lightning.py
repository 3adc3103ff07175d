"""The tracker as a callback of Lightning."""

from vestige.core import check
from vestige.core.errors import InputError
from vestige.tracking.tracker import Tracker

try:
    from lightning.pytorch import Callback, LightningModule, Trainer
except ImportError as error:
    raise InputError('Lightning is not installed; pip install "vestige[lightning]"') from error


class TrackerCallback(Callback):
    """Records a run at its start (step 0), after every so many epochs, and at its end; steps are epochs.

    Records in the main process only. Raises InputError if `every` is below 1.
    """

    def __init__(self, tracker: Tracker, every: int = 1) -> None:
        self.tracker = tracker
        self.every = check.at_least("every", every, 1)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Step 0, unless the run continues from a checkpoint."""
        if trainer.current_epoch == 0:
            self._record(trainer, pl_module, 0)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """The epochs done, where it is their turn."""
        done = trainer.current_epoch + 1
        if done % self.every == 0:
            self._record(trainer, pl_module, done)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """The last epoch, if it was not recorded yet."""
        if self.tracker.steps and trainer.current_epoch > self.tracker.steps[-1]:
            self._record(trainer, pl_module, trainer.current_epoch)

    def _record(self, trainer: Trainer, module: LightningModule, step: int) -> None:
        if trainer.is_global_zero:
            self.tracker.record(module, step)
