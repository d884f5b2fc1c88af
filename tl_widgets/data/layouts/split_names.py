"""How people call the folders and values of a split, in several languages."""

from __future__ import annotations

import re
import unicodedata

from tl_widgets.data.layouts.tree import SplitName, shown

_WORDS: dict[SplitName, str] = {
    "train": "train training trn learn learning "
    "trainings trainieren lernen "  # German
    "entrenamiento entreno entrenar "  # Spanish
    "entrainement apprentissage "  # French
    "treino treinamento treinar "  # Portuguese
    "addestramento allenamento",  # Italian
    "validation": "val valid validation validate validating dev devel development eval "
    "validierung validierungs "
    "validacion "
    "validacao "
    "validazione convalida",
    "test": "test testing tst tests evaluation holdout "
    "prufung pruefung "
    "prueba pruebas evaluacion "
    "essai essais "
    "teste testes avaliacao "
    "prova verifica valutazione",
}
_SPLITS: dict[str, SplitName] = {word: split for split, words in _WORDS.items() for word in words.split()}
_ENDINGS = re.compile(r"(?<=..)(set|sets|data|images|imgs|daten|bilder|satz|menge)$")


def split_of(name: str) -> SplitName:
    """Return the split that a folder, a file or a value is called by; "" for another name.

    One word decides ("seg_train", "test1", "Trainingsdaten"); a name with words of two splits is none.
    """
    plain = unicodedata.normalize("NFKD", shown(name)).encode("ascii", "ignore").decode().casefold()
    words = re.findall(r"[a-z]+", plain)
    splits = {split for word in words if (split := _SPLITS.get(word) or _SPLITS.get(_ENDINGS.sub("", word)))}
    return splits.pop() if len(splits) == 1 else ""
