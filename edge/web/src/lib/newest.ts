/**
 * The newest question's answer. Who chooses again before an answer is here wants the newer one, and the older may still
 * come last. A user would notice a mistake as the order, the purse or the week of another choice than the one shown as
 * chosen: at the desk, as money to the wrong member.
 */
export class Newest {
  private asked = 0;

  /** Call it with each question; gives whether that question's answer is still wanted. */
  ask(): () => boolean {
    this.asked += 1;
    const mine = this.asked;
    return () => mine === this.asked;
  }
}
