// All that is taken of the client library. A file of its own, so that a bundler sees that the rest of
// that large library is not needed although it is loaded only on demand.
export { KubeConfig } from '@kubernetes/client-node';
