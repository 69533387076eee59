/** Our own text as a literal of SQL. What a request brings is always a parameter. */
export function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
