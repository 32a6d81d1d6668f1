// What the recordings do not show of the stand-in: objects that enter and leave a selection.
import { expect, test } from 'vitest';
import { rawService } from './objects.ts';
import type { RawObject } from './stand-in/kinds.ts';
import { selectorOf } from './stand-in/selectors.ts';
import { eventOf, Store } from './stand-in/store.ts';

const label = 'service.kubernetes.io/service-proxy-name';
const matches = selectorOf(
  new URLSearchParams({ labelSelector: `!${label}`, fieldSelector: 'spec.clusterIP!=None' }),
);

function labelled(port: number): RawObject {
  const object = rawService('a', port);
  return { ...object, metadata: { ...object.metadata, labels: { [label]: '' } } };
}

test('a watch shows an object as it enters and leaves its selection', () => {
  const store = new Store();
  const headless = rawService('a', 4, { clusterIP: 'None' });
  for (const object of [labelled(1), labelled(2), rawService('a', 3), headless]) {
    store.set('Service', object);
  }
  store.set('Service', rawService('a', 5));
  store.set('Service', rawService('a', 6));
  store.delete('Service', 'default/a');
  store.set('Service', labelled(7));
  store.delete('Service', 'default/a');
  const events = store.since('Service', 1).map((change) => {
    const event = eventOf(change, matches);
    return event && `${event.type} at ${event.object.metadata.resourceVersion}`;
  });
  expect(events).toEqual([
    undefined,
    undefined,
    'ADDED at 4',
    'DELETED at 5',
    'ADDED at 6',
    'MODIFIED at 7',
    'DELETED at 8',
    undefined,
    undefined,
  ]);
});

test('a selector that is not known is no silent selection of everything', () => {
  for (const [name, value] of [
    ['labelSelector', 'app=web'],
    ['fieldSelector', 'spec.nodeName=node-1'],
  ] as const) {
    expect(() => selectorOf(new URLSearchParams({ [name]: value }))).toThrow(value);
  }
});
