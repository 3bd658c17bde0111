"""What operators see first: is the work going on, what is stuck, and what does it cost today?"""

from runs.admin.dashboard.page import home

__all__ = ["home"]
