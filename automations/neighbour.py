"""Our part in what the runs below do."""

from automations.look import look
from automations.media import used
from automations.models import Firing
from runs.models import Run
from runs.neighbours import Neighbour


def forget(run: Run) -> None:
    """The row of a batch whose run is deleted forgets what it gave it."""
    Firing.objects.filter(run=run).update(inputs={}, media=[])


NEIGHBOUR = Neighbour(name="automations", uses=used, forget=forget, look=look)
