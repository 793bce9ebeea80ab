"""One tick of a monthly schedule."""

import dagster as dg


def tick(definitions, moment, area="toy", before=None):
    """What the schedule does; `before` is the state of a run with the tick's key."""
    schedule = definitions.resolve_schedule_def(f"{area}_monthly_schedule")
    with dg.instance_for_test() as instance:
        if before is not None:
            job = definitions.resolve_job_def(f"{area}_monthly")
            tags = {"dagster/run_key": "toy:2021-06"}
            instance.create_run_for_job(job, tags=tags, status=before)
        with dg.build_schedule_context(
            instance=instance,
            scheduled_execution_time=moment,
            repository_def=definitions.get_repository_def(),
        ) as context:
            return schedule.evaluate_tick(context)
