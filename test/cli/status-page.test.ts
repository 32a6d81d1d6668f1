// The page of `run --status-page` in a real browser: what it shows, that it follows the cluster, and that
// it fits a phone and a desk, light and dark, with and without its script.
import { describe, expect, test } from 'vitest';
import { manifestDigest } from '../../src/lab/sluice-process.ts';
import type { ProxyMode } from '../../src/model/config.ts';
import { chromium, type Browser, type Look } from '../support/chromium.ts';
import { modes } from '../support/network-namespace.ts';
import { editedManifest, manifest } from './services.ts';
import { standWith, type Stand } from './stand.ts';

const at = 'http://127.0.0.1:10247/status';
const desk: Look = { width: 1280, height: 800, scheme: 'light' };
const phone: Look = { width: 390, height: 844, scheme: 'light' };

/** A daemon that serves the page, and a browser beside it. */
async function served(mode: ProxyMode) {
  const stand = await standWith(mode, manifest);
  await stand.exec('ip', ['link', 'set', 'lo', 'up']);
  const flags = ['--status-page'];
  const sluice = stand.start({ manifests: stand.manifests, proxyMode: mode, flags });
  await sluice.inStep(manifestDigest(manifest));
  return { stand, sluice, browser: await chromium(stand.name, stand.folder) };
}

const cells = (row: string): string =>
  `[...document.querySelectorAll('tr')].map((tr) => [...tr.children].map((one) => one.innerText))
    .filter(([first]) => first === ${JSON.stringify(row)})`;

async function contrast(browser: Browser): Promise<number> {
  return (await browser.evaluate(`(() => {
    const light = (colour) => {
      const [r, g, b] = colour.match(/[\\d.]+/g).map((c) => Number(c) / 255)
        .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = light(getComputedStyle(document.body).backgroundColor);
    const texts = [...document.querySelectorAll('main *')].filter((one) => one.innerText);
    return Math.min(...texts.map((one) => {
      const text = light(getComputedStyle(one).color);
      return (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05);
    }));
  })()`)) as number;
}

const chains: Readonly<Record<ProxyMode, readonly string[]>> = {
  nftables: ['nat-prerouting', 'services', 'KUBE-SVC-tcp-2', 'endpoints-tcp-2'].map(
    (name) => `ip sluice, chain ${name}`,
  ),
  iptables: ['PREROUTING', 'KUBE-SERVICES', 'KUBE-SVC-LOLE4ISW44XBNF3G'].map(
    (name) => `nat, chain ${name}`,
  ),
};

describe.each(modes)('with %s', (mode) => {
  test('shows Services, follows them, and draws the way to their endpoints', async () => {
    const { stand, sluice, browser } = await served(mode);
    await browser.open(at, desk);
    expect(await browser.evaluate('document.title')).toBe('Sluice');
    expect(await browser.evaluate(cells('default/mail'))).toEqual([
      ['default/mail', 'tcp 10.96.0.40:80', '1', '3', '33.3 %', '0'],
    ]);
    await browser.open(`${at}/service/default/web`, desk);
    const picture = `document.querySelector('svg.chain').getAttribute('aria-label')`;
    expect(await browser.evaluate(picture)).toBe(
      `client to tcp 10.96.0.10:80, then ${chains[mode].join(', then ')}; 2 endpoints, 0 skipped`,
    );
    expect(await browser.evaluate(cells('10.244.2.11:8080'))).toEqual([
      ['10.244.2.11:8080', '50.0 %', 'on another node'],
    ]);
    const changed = browser.evaluate(`new Promise((resolve) => {
      const look = () => document.body.innerText.includes('10.244.2.13:8080') && resolve('seen');
      new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
    })`);
    await stand.rewrite(editedManifest);
    await sluice.inStep(manifestDigest(editedManifest));
    expect(await changed).toBe('seen');
    expect(browser.errors()).toEqual([]);
  });

  test('says that the daemon answers no more, and calls nothing healthy', async () => {
    const { sluice, browser } = await served(mode);
    await browser.open(at, desk);
    const good = `[...document.querySelectorAll('main .good')].map((one) => one.innerText)`;
    expect(await browser.evaluate(good)).toEqual(['healthy', 'healthy']);
    await sluice.kill();
    const said = await browser.evaluate(`new Promise((resolve) => {
      const look = () => {
        const note = document.querySelector('#silence');
        if (note !== null) resolve(note.innerText);
      };
      new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
    })`);
    expect(said).toMatch(/^no answer since \d\d:\d\d:\d\d UTC: this is what was so then$/);
    expect(await browser.evaluate(good)).toEqual([]);
    expect(await contrast(browser)).toBeGreaterThanOrEqual(4.5);
  });

  test.each([
    ['at a desk, light', desk],
    ['at a desk, dark', { ...desk, scheme: 'dark' }],
    ['on a phone, light', phone],
    ['on a phone, dark', { ...phone, scheme: 'dark' }],
    ['without its script', { ...phone, withoutScript: true }],
  ] as const)('reads well %s', async (_, look) => {
    const { browser } = await served(mode);
    for (const path of ['', '/service/default/mail', '/service/default/idle']) {
      await browser.open(`${at}${path}`, look);
      expect(await browser.evaluate('document.documentElement.scrollWidth')).toBe(look.width);
      // WCAG 2.1, level AA, for text of normal size.
      expect(await contrast(browser)).toBeGreaterThanOrEqual(4.5);
      const [ground] = (await browser.evaluate(
        'getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)',
      )) as readonly number[];
      expect((ground ?? 0) > 127).toBe(look.scheme === 'light');
      expect((await browser.screenshot()).subarray(1, 4).toString()).toBe('PNG');
    }
    expect(browser.errors()).toEqual([]);
  });
});

async function statusOf({ exec }: Stand, url: string): Promise<string> {
  const format = ['-o', '/dev/null', '-w', '%{http_code}'];
  return (await exec('curl', ['-s', ...format, url])).stdout;
}

describe('beside metrics that are open to Prometheus', () => {
  /** What each path is answered with, once a daemon runs with these flags. */
  async function answers(flags: readonly string[]): Promise<readonly string[]> {
    const stand = await standWith('nftables', manifest);
    await stand.exec('ip', ['link', 'set', 'lo', 'up']);
    await stand.exec('ip', ['address', 'add', '192.0.2.1/32', 'dev', 'lo']);
    const open = ['--metrics-bind-address', '0.0.0.0:10249'];
    const sluice = stand.start({
      manifests: stand.manifests,
      proxyMode: 'nftables',
      flags: [...open, ...flags],
    });
    await sluice.inStep(manifestDigest(manifest));
    const codes: string[] = [];
    for (const url of [
      '192.0.2.1:10249/metrics',
      '192.0.2.1:10249/status',
      '192.0.2.1:10249/debug/objects',
      '127.0.0.1:10247/status',
      '127.0.0.1:10247/debug/objects',
      // Nobody is there.
      '192.0.2.1:10247/status',
    ]) {
      codes.push(await statusOf(stand, url).catch(() => 'none'));
    }
    return codes;
  }

  test('the page is there for who asks for it, on loopback alone', async () => {
    expect(await answers(['--status-page'])).toEqual(['200', '404', '404', '200', '200', 'none']);
  });

  test('there is no page where nobody asked for it', async () => {
    expect(await answers([])).toEqual(['200', '404', '404', '404', '200', 'none']);
  });
});
