import { client } from "./hey/client.gen";
import { createJob, createSweep, getJob, getSweep, getSweepReport, runStudy, validateJob } from "./hey/sdk.gen";
import type { JobSpec, SweepResponse } from "./hey/types.gen";
import { check, sleep } from "./common";

async function main() {
  client.setConfig({ baseUrl: process.argv[2] });
  const isUnderWay = (status: string) => status === "queued" || status === "running";

  const spec: JobSpec = {
    dataset: "iris",
    model: { hiddenLayers: [16], activation: { name: "leaky_relu", negativeSlope: 0.1 } },
    training: { epochs: 20 },
  };
  const estimate = await validateJob({ body: spec, throwOnError: true });
  check(Number(estimate.data.parameterCount) > 0, "the estimate");
  let { data: job } = await createJob({ body: spec, throwOnError: true });
  while (isUnderWay(job.status)) {
    await sleep(50);
    ({ data: job } = await getJob({ path: { id: job.id }, throwOnError: true }));
  }
  check(job.status === "succeeded" && Number(job.result?.testAccuracy) > 0.5, `the job: ${job.error?.message}`);

  async function report(sweep: SweepResponse, what: string) {
    while (isUnderWay(sweep.status)) {
      await sleep(50);
      ({ data: sweep } = await getSweep({ path: { id: sweep.id }, throwOnError: true }));
    }
    const { data } = await getSweepReport({ path: { id: sweep.id }, throwOnError: true });
    check(sweep.status === "succeeded" && typeof data === "object" && "arms" in data && data.arms.length > 1, what);
  }
  const sweep = await createSweep({ body: { base: spec, grid: { "/model/activation": ["relu", "tanh"] }, seedCount: 2 }, throwOnError: true });
  await report(sweep.data, "the sweep");
  const study = await runStudy({ path: { name: "relu-vs-leaky-relu" }, body: { dataset: "iris", seedCount: 2 }, throwOnError: true });
  await report(study.data, "the study");
  console.log("all came to their end");
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
