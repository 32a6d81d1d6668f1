// The frames that the sender sends: the first packet of a flow each, UDP or TCP as the Service has it. Pure.
import { clientMac, nodeMac } from './network.ts';

/** What the first packet of a flow says. */
export type Flow = {
  readonly from: string;
  readonly fromPort: number;
  readonly to: string;
  readonly toPort: number;
  readonly protocol: 'TCP' | 'UDP';
};

// As sender.pl has it: a length, then the frame.
const slot = 128;
const [ethernet, ipHeader] = [14, 20];
const numbers = { TCP: 6, UDP: 17 } as const;
const lengths = { TCP: 20, UDP: 16 } as const;

/** A file for the sender. */
export function framesOf(flows: readonly Flow[]): Buffer {
  const file = Buffer.alloc(flows.length * slot);
  for (const [index, flow] of flows.entries()) {
    writeFrame(file.subarray(index * slot, (index + 1) * slot), flow);
  }
  return file;
}

function writeFrame(file: Buffer, flow: Flow): void {
  const length = lengths[flow.protocol];
  file.writeUInt16BE(ethernet + ipHeader + length, 0);
  const frame = file.subarray(2);
  frame.set([...bytesOfMac(nodeMac), ...bytesOfMac(clientMac), 8, 0]);
  const ip = frame.subarray(ethernet, ethernet + ipHeader);
  ip.set([0x45, 0, 0, ipHeader + length, 0, 0, 0x40, 0, 64, numbers[flow.protocol]]);
  ip.set([...bytesOfIp(flow.from), ...bytesOfIp(flow.to)], 12);
  ip.writeUInt16BE(checksum(ip), 10);
  const transport = frame.subarray(ethernet + ipHeader, ethernet + ipHeader + length);
  transport.writeUInt16BE(flow.fromPort, 0);
  transport.writeUInt16BE(flow.toPort, 2);
  if (flow.protocol === 'UDP') {
    // A checksum of zero is none.
    transport.writeUInt16BE(length, 4);
    return;
  }
  transport.set([0x50, 0x02, 0xfa, 0xf0], 12);
  const pseudo = [...ip.subarray(12, 20), 0, numbers.TCP, 0, length];
  transport.writeUInt16BE(checksum(Buffer.from([...pseudo, ...transport])), 16);
}

function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xff_ff) sum = (sum & 0xff_ff) + (sum >>> 16);
  return ~sum & 0xff_ff;
}

function bytesOfMac(mac: string): readonly number[] {
  return mac.split(':').map((byte) => Number.parseInt(byte, 16));
}

function bytesOfIp(ip: string): readonly number[] {
  return ip.split('.').map(Number);
}
