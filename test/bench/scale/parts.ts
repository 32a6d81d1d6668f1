// The parts of the bench, in order; each says figures, with their bounds.
import { burst, change, cpu, growth, wide } from './parts/changes.ts';
import { iptables } from './parts/iptables.ts';
import { packets } from './parts/packets.ts';
import { start } from './parts/start.ts';

/** The name of a part. */
export type PartName = keyof typeof parts;

/** Every part, in order. */
export const parts = { packets, start, change, wide, burst, cpu, growth, iptables } as const;
