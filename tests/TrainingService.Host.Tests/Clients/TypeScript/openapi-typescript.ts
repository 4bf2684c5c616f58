import createClient from "openapi-fetch";
import type { components, paths } from "./openapi-typescript.made";
import { check, sleep } from "./common";

async function main() {
  type Sweep = components["schemas"]["SweepResponse"];

  const api = createClient<paths>({ baseUrl: process.argv[2] });
  const isUnderWay = (status: string) => status === "queued" || status === "running";

  // a plain name and an object, as the document's unions have them
  const spec: components["schemas"]["JobSpec"] = {
    dataset: "iris",
    model: { hiddenLayers: [16], activation: { name: "leaky_relu", negativeSlope: 0.1 }, initializer: "kaiming_normal" },
    training: { epochs: 20, seed: "9007199254740993" },
  };
  const estimate = await api.POST("/api/v1/jobs/validate", { body: spec });
  check((estimate.data?.parameterCount ?? 0) > 0, "the estimate");
  let { data: job } = await api.POST("/api/v1/jobs", { body: spec });
  while (job && isUnderWay(job.status)) {
    await sleep(50);
    ({ data: job } = await api.GET("/api/v1/jobs/{id}", { params: { path: { id: job.id } } }));
  }
  check(job?.status === "succeeded" && Number(job.result?.testAccuracy) > 0.5, `the job: ${job?.error?.message}`);
  check(job?.spec?.training?.seed === "9007199254740993", "a seed beyond 2^53");

  async function report(sweep: Sweep | undefined, what: string) {
    while (sweep && isUnderWay(sweep.status)) {
      await sleep(50);
      ({ data: sweep } = await api.GET("/api/v1/sweeps/{id}", { params: { path: { id: sweep.id } } }));
    }
    const { data } = await api.GET("/api/v1/sweeps/{id}/report", { params: { path: { id: sweep!.id } } });
    check(sweep?.status === "succeeded" && typeof data === "object" && data.arms.length > 1, what);
  }
  const sweep = await api.POST("/api/v1/sweeps", { body: { base: spec, grid: { "/model/activation": ["relu", "tanh"] }, seedCount: 2 } });
  await report(sweep.data, "the sweep");
  const study = await api.POST("/api/v1/studies/{name}", {
    params: { path: { name: "relu-vs-leaky-relu" } },
    body: { dataset: "iris", seedCount: 2 },
  });
  await report(study.data, "the study");
  console.log("all came to their end");
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
