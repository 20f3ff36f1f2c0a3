from insights.saving_model import Saving, SavingRun

__all__ = ["Saving", "SavingRun"]
