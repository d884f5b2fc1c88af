"""How people call the folders and values of a split, in several languages."""

from __future__ import annotations

import re
import unicodedata

from tl_widgets.data.layouts.tree import SplitName, shown

_WORDS: dict[SplitName, str] = {
    "train": "train training trn tr learn learning "
    "trainings trainieren lernen "  # German
    "entrenamiento entreno entrenar "  # Spanish
    "entrainement apprentissage "  # French
    "treino treinamento treinar "  # Portuguese
    "addestramento allenamento "  # Italian
    "trening treningowy uczacy "  # Polish
    "egitim "  # Turkish
    "opleiding traning "  # Dutch, Swedish
    "обучение обучающая тренировка тренировочная "  # Russian
    "训练 訓練 学习 学習 훈련 학습",  # Chinese, Japanese, Korean
    "validation": "val valid validation validate validating dev devel development eval "
    "validierung validierungs "
    "validacion "
    "validacao "
    "validazione convalida "
    "walidacja dogrulama validatie validering "
    "валидация валидационная "
    "验证 驗證 検証 검증",
    "test": "test testing tst te tests evaluation holdout "
    "prufung pruefung "
    "prueba pruebas evaluacion "
    "essai essais "
    "teste testes avaliacao "
    "prova verifica valutazione "
    "testowy deneme sinama "
    "тест тестирование тестовая проверка "
    "测试 測試 テスト 試験 테스트 시험",
}
_ENDINGS = re.compile(r"(?<=..)(set|sets|data|images|imgs|daten|bilder|satz|menge|集|データ|数据|セット|用)$")
_WORD = re.compile(r"[^\W\d_]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")  # trainA, testSet


def _plain(text: str) -> str:
    """Return a text in lower case, Latin letters without their marks."""
    marked = unicodedata.normalize("NFKD", text)
    bare = "".join(c for i, c in enumerate(marked) if not (unicodedata.combining(c) and marked[i - 1] < "\u0370"))
    return unicodedata.normalize("NFC", bare).casefold()


_SPLITS: dict[str, SplitName] = {_plain(word): split for split, words in _WORDS.items() for word in words.split()}


def _split_of_word(word: str) -> SplitName:
    return _SPLITS.get(word) or _SPLITS.get(_ENDINGS.sub("", word)) or ""


def split_of(name: str) -> SplitName:
    """Return the split that a folder, a file or a value is called by; "" for another name.

    One word decides ("seg_train", "test1", "Trainingsdaten"); a name with words of two splits is none.
    """
    splits = {split for word in _WORD.findall(_plain(shown(name))) if (split := _split_of_word(word))}
    return splits.pop() if len(splits) == 1 else ""


def split_and_class(name: str) -> tuple[SplitName, str]:
    """Return the split and the rest of a name that has both: ("train", "cat") for "cat_train" and "trainCat"."""
    words = [word for word in re.split(r"[\s_.-]+", _CAMEL.sub("_", shown(name))) if word]
    for i in (0, -1):
        if len(words) > 1 and (split := _split_of_word(_plain(words[i]))):
            rest = words[1:] if i == 0 else words[:-1]
            return split, "_".join(rest)
    return "", ""
