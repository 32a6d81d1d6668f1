// Names of network interfaces, which land in rules: untrusted text in, a verdict out.

/** True for a name, or the start of one, that may stand in a rule: no wildcard, no quote, no space. */
export function isInterfaceName(text: string): boolean {
  // The kernel allows 15 bytes, and neither of the names that every folder has.
  return /^[A-Za-z0-9_.@-]{1,15}$/.test(text) && text !== '.' && text !== '..';
}
