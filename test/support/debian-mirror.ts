// Where this machine itself installs Debian from, and how mmdebstrap is told to make a root from there.
import { execOnHost } from '../../src/host/tools/exec.ts';

const labels = { debian: 'Debian', 'debian-security': 'Debian-Security' } as const;

/** Options of mmdebstrap for every root. */
export const mmdebstrapOptions: readonly string[] = [
  '--quiet',
  '--keyring=/usr/share/keyrings/debian-archive-keyring.gpg',
  // sid's list of packages expires after a week, which a mirror of an earlier day is past. It is signed
  // all the same.
  '--aptopt=Acquire::Check-Valid-Until "false"',
];

/** The mirror of an archive of Debian that this machine uses, else Debian's own. */
export async function debianMirror(archive: keyof typeof labels): Promise<string> {
  const { stdout } = await execOnHost('apt-get', ['indextargets', '--format', '$(LABEL)|$(SITE)']);
  const targets = stdout.split('\n').map((line) => line.split('|'));
  const own = targets.find(([label]) => label === labels[archive]);
  return own?.[1] ?? `http://deb.debian.org/${archive}`;
}
