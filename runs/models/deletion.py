"""Which stored inputs a run uses, and which files are to be deleted."""

from django.db import models
from django.db.models.functions import Now

from runs.models.run import Run


class RunInput(models.Model):
    """A stored file that a run was given. It lives for as long as a run uses it."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="given", db_index=False)  # run_input_once
    storage_key = models.CharField(max_length=300)

    class Meta:
        db_table = "run_inputs"
        constraints = [models.UniqueConstraint(fields=["run", "storage_key"], name="run_input_once")]
        indexes = [models.Index(fields=["storage_key"], name="run_input_key")]  # who else uses it

    def __str__(self) -> str:
        return self.storage_key


class DoomedFile(models.Model):
    """A file that nobody uses any more, or a folder, whose name ends with a slash. The row goes after the file."""

    storage_key = models.CharField(max_length=300)
    sha256 = models.CharField(max_length=64, blank=True, help_text="Of the file; empty for a folder.")
    run_id = models.CharField(max_length=40, help_text="The run whose deletion doomed it, or user:7.")
    doomed_at = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField(db_default=Now(), help_text="When to delete it, or to try again.")
    tries = models.IntegerField(default=0, db_default=0)

    class Meta:
        db_table = "doomed_files"
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["storage_key"], name="doomed_file_once")]
        indexes = [models.Index(fields=["due_at"], name="doomed_file_due")]

    def __str__(self) -> str:
        return f"{self.run_id}: {self.pk}"
