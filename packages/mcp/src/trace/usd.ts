/** Digits after the point of a cost in USD: far below what a token costs, and above what binary fractions add. */
export const USD_DECIMALS = 12;

/** `0.00027`, where a sum of doubles is `0.00026999999999999995`: what is shown is what a filter compares with. */
export const roundUsd = (amount: number) => Number(amount.toFixed(USD_DECIMALS));
