import { cacheFolder } from '../../src/local/setup/prepare.ts';
import { findPythonPackages } from '../../src/local/setup/python-packages.ts';
import { run } from '../../src/systems/process.ts';

/** They carry the schemas of Kubernetes and of CycloneDX, so that no network is needed afterwards. */
const validators = {
  what: 'schema validators',
  folder: 'schema-validators-1',
  packages: ['kubernetes-validate==1.37.0', 'cyclonedx-python-lib[json-validation]==11.12.0'],
};

async function python(program: string, input: string): Promise<string[]> {
  const setUp = { env: process.env, cache: cacheFolder(), report: () => undefined };
  const env = { ...process.env, PYTHONPATH: await findPythonPackages(validators, setUp) };
  const { code, stdout, stderr } = await run('python3', ['-c', program], { env, input });
  if (code !== 0) throw new Error(stderr);
  return stdout.split('\n').filter(Boolean);
}

/** What Kubernetes' own schemas refuse in a stream of YAML documents; a line each. */
export const kubernetesProblems = (yaml: string): Promise<string[]> =>
  python(
    `
import sys, yaml, kubernetes_validate
for document in yaml.safe_load_all(sys.stdin):
  try:
    kubernetes_validate.validate(document, '1.33.0', strict=True)
  except Exception as problem:
    print(document['kind'], document['metadata']['name'], str(problem).split('\\n')[0])
`,
    yaml,
  );

/** What CycloneDX's own schema refuses in a bill of materials; a line each. */
export const billOfMaterialsProblems = (json: string): Promise<string[]> =>
  python(
    `
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(sys.stdin.read())
if problem: print(str(problem).split('\\n')[0])
`,
    json,
  );
