// A machine on which just one of the two programs that are called iptables is installed.
import { missingTool, type Exec } from '../../src/host/tools/exec.ts';

/** The two programs. */
export const variants = ['nft', 'legacy'] as const;

/** `exec`, where `iptables`, `ip6tables-save` and so on are those of one variant, and the only ones. */
export function withOneVariant(exec: Exec, variant: (typeof variants)[number]): Exec {
  return (file, args, options) =>
    /^ip6?tables-(nft|legacy)/.test(file)
      ? Promise.reject(missingTool(file))
      : exec(file.replace(/^(ip6?tables)/, `$1-${variant}`), args, options);
}
