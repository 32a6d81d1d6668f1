// Whether an object is one that the API server of a minor version of Kubernetes would take: held against the
// OpenAPI schemas of that version, as packages of npm have them. A field that the version does not know,
// one of another type, and one that is missing are faults.
import { attributeSchemas } from './attribute-schema.ts';
import { errorTexts, faultsBy, refTo, type Definitions, type Faults } from './json-schema.ts';
import { structSchemas } from './struct-schema.ts';

/** The minor versions of Kubernetes that the manifests are for: 1.31 to 1.36. */
export const minors = [31, 32, 33, 34, 35, 36] as const;
export type Minor = (typeof minors)[number];

/** The kinds that manifests and tests make, with the group that each is of. */
export const groups = {
  ServiceAccount: 'v1',
  ConfigMap: 'v1',
  Namespace: 'v1',
  Service: 'v1',
  Node: 'v1',
  ClusterRole: 'rbac.authorization.k8s.io/v1',
  ClusterRoleBinding: 'rbac.authorization.k8s.io/v1',
  DaemonSet: 'apps/v1',
  EndpointSlice: 'discovery.k8s.io/v1',
  Event: 'events.k8s.io/v1',
} as const;
export type Kind = keyof typeof groups;

type ApiObject = Readonly<Record<string, unknown>>;

// Each package is read once, and each check made once.
const structs = new Map<Minor, Definitions>();
const attributes = attributeSchemas();
const checks = new Map<string, Faults>();

function checkOf(minor: Minor, type: string, definitions: () => Definitions): Faults {
  const id = `${minor} ${type}`;
  const check = checks.get(id) ?? faultsBy(refTo(type), definitions());
  checks.set(id, check);
  return check;
}

/** What the minor version finds wrong with an object of the kind. */
export async function faultsIn(
  object: ApiObject,
  kind: Kind,
  minor: Minor,
): Promise<readonly string[]> {
  // No package of npm has the schemas of 1.35. These APIs are all v1, from which Kubernetes takes no field
  // away: what 1.34 takes, 1.35 takes; and 1.36 says that none was given another meaning since.
  if (minor === 35) {
    return [...(await faultsIn(object, kind, 34)), ...(await faultsIn(object, kind, 36))];
  }
  const { apiVersion } = object;
  const wrong = apiVersion === groups[kind] ? [] : [`/apiVersion is ${String(apiVersion)}`];
  const faults =
    minor === 36 ? await faultsOf36(object, kind) : faultsByStruct(minor, kind)(object);
  return [...wrong, ...faults];
}

// The structs are without the fields that name the type, and without the status, which is the server's.
function faultsByStruct(minor: Minor, kind: Kind): Faults {
  const check = checkOf(minor, `Kube${kind}Props`, () => {
    const definitions = structs.get(minor) ?? structSchemas(minor);
    structs.set(minor, definitions);
    return definitions;
  });
  return (value) => {
    const { apiVersion: _, kind: _kind, status: _status, ...rest } = value as ApiObject;
    return check(rest);
  };
}

/** The validators that kubernetes-models has, one a type of the OpenAPI document. */
type Model = {
  readonly validate: ((value: unknown) => boolean) & {
    readonly errors?: Parameters<typeof errorTexts>[0];
  };
};

// The client library knows the fields, and the models which must be there and what may be in them.
async function faultsOf36(object: ApiObject, kind: Kind): Promise<readonly string[]> {
  const type = kind === 'Event' ? 'EventsV1Event' : `V1${kind}`;
  const known = checkOf(36, type, () => attributes);
  const path = `kubernetes-models/_schemas/${modelOf(kind)}`;
  const { validate } = (await import(path)) as Model;
  return [...known(object), ...(validate(object) ? [] : errorTexts(validate.errors))];
}

function modelOf(kind: Kind): string {
  const [group = ''] = (groups[kind] === 'v1' ? 'core/v1' : groups[kind]).split(/[./]/);
  return `IoK8sApi${group[0]?.toUpperCase()}${group.slice(1)}V1${kind}`;
}
