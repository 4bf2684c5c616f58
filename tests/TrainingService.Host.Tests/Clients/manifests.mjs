// Holds manifests against the JSON schemas of Kubernetes and KEDA: node manifests.mjs FILE...
// They know what is required and of which type; fields that they don't know they let pass (KubernetesTests doesn't).
import { readFileSync } from 'node:fs'
import { parseAllDocuments } from 'yaml'

const errors = []
for (const file of process.argv.slice(2))
  for (const document of parseAllDocuments(readFileSync(file, 'utf8'))) {
    errors.push(...document.errors.map(error => `${file}: ${error.message}`))
    const manifest = document.toJS()
    const { apiVersion, kind } = manifest ?? {}
    const models = apiVersion?.startsWith('keda.sh/') ? '@kubernetes-models/keda' : 'kubernetes-models'
    try {
      const Model = (await import(`${models}/${apiVersion}/${kind}`))[kind]
      new Model(manifest).validate()
    } catch (error) {
      errors.push(`${file}: ${apiVersion} ${kind} ${manifest?.metadata?.name}: ${error.message}`)
    }
  }
errors.forEach(error => console.error(error))
process.exitCode = errors.length > 0 ? 1 : 0
