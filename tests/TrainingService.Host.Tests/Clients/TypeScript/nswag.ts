import { Api, JobResponse, JobSpec, StudySpec, SweepReport, SweepResponse, SweepSpec } from "./nswag.made";
import { check, sleep } from "./common";

async function main() {
  const api = new Api(process.argv[2], { fetch });
  const isUnderWay = (status: string) => status === "queued" || status === "running";

  const spec = JobSpec.fromJS({
    dataset: { name: "iris" },
    model: { hiddenLayers: [16], activation: { name: "leaky_relu", negativeSlope: 0.1 } },
    training: { epochs: 20 },
  });
  check((await api.validateJob(spec)).parameterCount > 0, "the estimate");
  let job: JobResponse = await api.createJob(undefined, spec);
  while (isUnderWay(job.status)) {
    await sleep(50);
    job = await api.getJob(job.id, undefined);
  }
  check(String(job.status) === "succeeded" && Number(job.result?.testAccuracy) > 0.5, `the job: ${job.error?.message}`);

  async function report(sweep: SweepResponse, what: string) {
    while (isUnderWay(sweep.status)) {
      await sleep(50);
      sweep = await api.getSweep(sweep.id, undefined);
    }
    const shown: SweepReport = await api.getSweepReport(sweep.id);
    check(String(sweep.status) === "succeeded" && shown.arms.length > 1, what);
  }
  const grid = { "/model/activation": ["relu", "tanh"] };
  await report(await api.createSweep(undefined, SweepSpec.fromJS({ base: spec.toJSON(), grid, seedCount: 2 })), "the sweep");
  const study = StudySpec.fromJS({ dataset: "iris", seedCount: 2 });
  await report(await api.runStudy("relu-vs-leaky-relu" as never, undefined, study), "the study");
  console.log("all came to their end");
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
