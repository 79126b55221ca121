"""What a daemon told beside its refusal, as a sentence behind the problem's own words.

One code stands for many causes: "invalid value" alone leaves a cashier to guess the limit of a purse, and "a plate
stops payment" does not say which state the keyed plate is in. Facts that nobody reads need no sentence here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FEN_PER_YUAN = 100

#: Why a plate cannot be entered by its label: the value of the fact ``problem``.
PLATES = {
    "plate_sold": ("这个盘子已付过款。", "That plate has been paid already."),
    "plate_unbound": ("这个盘子上没有登记菜品。", "That plate has no dish."),
    "plate_retired": ("这个盘子已停用。", "That plate is out of use."),
    "plate_not_today": ("这个盘子不是今天的菜。", "That plate holds no dish of today."),
    "plate_other_lane": ("这个盘子在另一个结算台上。", "That plate lies on another lane."),
}

#: Why a plate cannot be filled with so many grams of a dish: the value of the fact ``priced_by``.
SOLD_BY = {
    "weight": ("这道菜按重量卖：请给出克数，1 到 {most}。", "The dish is sold by weight: give the grams, 1 to {most}."),
    "portion": ("这道菜按份卖：不要给克数。", "The dish is sold by the portion: give no grams."),
}


def facts_in_words(facts: Mapping[str, Any], language: str) -> str:
    """The sentences that the facts are worth, "" when none."""
    zh = language == "zh"
    words = []
    if isinstance(most := facts.get("max_fen"), int):
        yuan = f"{max(0, most) // FEN_PER_YUAN}.{max(0, most) % FEN_PER_YUAN:02}"
        words.append(f"现在最多 {yuan} 元。" if zh else f"At most {yuan} yuan now.")
    if isinstance(most := facts.get("max_plates"), int):
        words.append(f"盘数须为 1 到 {most}。" if zh else f"The number of plates must be 1 to {most}.")
    if isinstance(lines := facts.get("line_nos"), list):
        listed = ", ".join(str(line) for line in lines)
        words.append(f"行号：{listed}。" if zh else f"Lines: {listed}.")
    if (sold_by := facts.get("priced_by")) in SOLD_BY:
        words.append(SOLD_BY[str(sold_by)][0 if zh else 1].format(most=facts.get("max_grams", "")))
    if (plate := facts.get("problem")) in PLATES:
        words.append(PLATES[str(plate)][0 if zh else 1])
    return "".join(words) if zh else " ".join(words)
