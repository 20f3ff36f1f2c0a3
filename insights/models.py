from insights.experiments.models import Experiment, ExperimentLook, ExperimentSum

__all__ = ["Experiment", "ExperimentLook", "ExperimentSum"]
