// In place of the page's module of this name: a report is what it is. Nothing can be chosen, and no click leads away.

export const chosen = { measure: "", incident: "", where: {} };

export const go = () => {};

export const step = () => null;

/** What a panel calls the groups that it does not name. */
export const OTHERS = "all others";
