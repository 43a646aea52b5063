"""Label the lines of news-page dumps and rebuild the article.

    python predict.py dump.txt                          the article and its sections, for reading
    python predict.py dump.txt output=json              the same for machines; also markdown, labels, body
    python predict.py a.txt b.txt output_dir=out        one file per dump
    cat dump.txt | python predict.py - output=body      the clean article text alone
    python predict.py dump.txt model=models/last encoding=cp1252
    python predict.py 'crawl/**/*.txt' corpus.jsonl.zst pages.parquet output=jsonl output_dir=out

What names a file is an input, `-` is standard input; everything else is an override of:
"""

import sys
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from pilah.batch import Options, predict, split_arguments
from pilah.page import InputError, first_sentence

CONF = Path(__file__).resolve().parent / "conf" / "predict"  # apart: in training `model` is a group, here a value


def options_of(overrides: list[str]) -> Any:
    """What the configuration says, with the overrides; Hydra is loaded where there is something to compose."""
    if not overrides:
        config = OmegaConf.load(CONF / "predict.yaml")
        if config.pop("defaults") == [{"engine": None}, "_self_"]:
            return OmegaConf.to_container(config)
    from hydra import compose, initialize_config_dir
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    try:
        with initialize_config_dir(config_dir=str(CONF), version_base="1.3"):
            return OmegaConf.to_container(compose("predict", overrides), resolve=True)
    except (HydraException, OmegaConfBaseException) as error:
        raise InputError(first_sentence(error)) from None


def main(arguments: list[str]) -> int:
    """Exit code: 0, 1 where some of several dumps failed, 2 for a wrong input."""
    if not arguments or {"-h", "--help"} & set(arguments):
        print(__doc__ + "\n" + (CONF / "predict.yaml").read_text(encoding="utf-8"), end="")
        return 0 if arguments else 2
    inputs, overrides = split_arguments(arguments)
    try:
        return predict(inputs, Options.of(options_of(overrides)))
    except InputError as error:
        print(f"predict.py: {first_sentence(error)}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
