/** How many days a token of the local key set is good for at most. */
export const LONGEST_LIFE_DAYS = 90;
