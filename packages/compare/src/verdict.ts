export type Verdict =
  | 'regressed'
  | 'improved'
  /** No finding, and a change of `mde` would have been one with probability 0.8. */
  | 'unchanged'
  | 'not enough data'
  /** Its cost went to or came from elsewhere within `movedWithin`, whose own cost did not change. */
  | 'moved'
  | 'new'
  | 'gone'
  /** Fewer than five units: effect and interval are shown, no verdict is given. */
  | 'weak evidence';
