"""Train a model: `python train.py`, `python train.py model=linear_svc`, `python train.py -m decoder=argmax,viterbi`."""

import os
import sys

import hydra
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from pilah.page import InputError, first_sentence
from pilah.training.run import train

os.environ.setdefault("HYDRA_FULL_ERROR", "1")  # raise, so that this door can say it in one sentence


@hydra.main(version_base="1.3", config_path="conf", config_name="train")
def main(cfg: DictConfig) -> float:
    """One run; the headline score is what a sweep optimises."""
    try:
        return train(cfg)
    except InputError as error:  # here, or Hydra would say something of its own in front of it
        sys.exit(_refused(error))


def _refused(error: Exception) -> int:
    print(f"train.py: {first_sentence(error)}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    try:
        main()
    except (HydraException, OmegaConfBaseException) as error:
        sys.exit(_refused(error))
