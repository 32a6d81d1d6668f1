#!/bin/sh
# The end-to-end test in a kind cluster: `kind.sh up` makes the cluster of kind-config.yaml with Sluice as
# its only Service proxy, `kind.sh e2e` asks it, `kind.sh down` removes it. Needs docker and kind.
set -eu
cd "$(dirname "$0")/../.."

cluster=sluice
image=sluice:$(sed -n 's/^  "version": "\(.*\)",$/\1/p' package.json)
kubeconfig=${TMPDIR:-/tmp}/sluice-kind.kubeconfig

needs() {
  for tool; do
    command -v "$tool" >/dev/null || { echo "$tool is not installed: the kind cluster needs it" >&2; exit 2; }
  done
}

# The cluster's own, so that it fits the cluster and none has to be installed.
kubectl_in_cluster() {
  docker exec -i "$cluster-control-plane" kubectl --kubeconfig /etc/kubernetes/admin.conf "$@"
}

up() {
  needs docker kind
  docker info >/dev/null 2>&1 || { echo 'docker does not answer: is its daemon running?' >&2; exit 2; }
  docker build --tag "$image" .
  kind create cluster --config kind-config.yaml --kubeconfig "$kubeconfig"
  kind load docker-image "$image" --name "$cluster"
  # The control plane under the name that its certificate has; nodes find it by Docker's own DNS.
  kubectl_in_cluster -n kube-system create configmap sluice-api-server \
    --from-literal=host="$cluster-control-plane" --from-literal=port=6443
  kubectl_in_cluster apply -f - <manifests/sluice.yaml
  kubectl_in_cluster -n kube-system rollout status daemonset/sluice --timeout=180s
  kubectl_in_cluster wait --for=condition=Ready nodes --all --timeout=180s
  # Reaches the API server by its ClusterIP, which works now.
  kubectl_in_cluster -n kube-system rollout status deployment/coredns --timeout=180s
  echo "KUBECONFIG=$kubeconfig"
}

e2e() {
  needs kind
  kind get kubeconfig --name "$cluster" >"$kubeconfig"
  KUBECONFIG=$kubeconfig npm run --silent e2e:cluster
}

down() {
  needs docker kind
  kind delete cluster --name "$cluster" --kubeconfig "$kubeconfig"
  rm -f "$kubeconfig"
}

case ${1-} in
  up | e2e | down) "$1" ;;
  *) echo 'usage: kind.sh up|e2e|down' >&2; exit 2 ;;
esac
