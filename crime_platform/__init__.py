"""Monthly forecasts of recorded crime per 500 m cell, published only when they beat the average.

```
files -> sources -> incidents, counts (warehouse.duckdb, the truth)
      -> grid tensor (xarray, Zarr) -> windows -> models -> back-test on rolling origins
      -> ensemble and champion, chosen on earlier months -> candidate
      -> candidate --[gate]--> release (forecasts.duckdb) -> SQL, dashboard
incidents -> street graph, counts per day and segment -> street models (GLDNet, baselines)
      -> champion, chosen on validation days -> street candidate --[gate]--> the same release
```

Where do I go to...?

- add a city? `data/study_areas/`: one TOML; its keys are in `study_area.study_area`. What
  `new-area` guesses: `onboarding.draft`, `onboarding.guesses`; what `check-area` finds:
  `onboarding.facts`, and what it says of it: `onboarding.check`.
- read another file format? `sources`. Ask another kind of API? `sources.api.clients`; what is
  fetched when, and how a cut fetch goes on, is in `sources.api.fetching`.
- write invented files? `simulation`.
- add a data check? The rule in `data_checks`, its name and what it reads in `pipeline.data_checks`.
- change what a cell is? `geography.grid`.
- change what a street is, or what is counted on it? `geography.street_segments`, then
  `pipeline.street_graph` and `pipeline.segment_counts`; its TOML keys are in `study_area.streets`.
- add a baseline? `models.cells.baselines`. A network? `models.cells`, then `training.fit`. What
  runs, and in which group? `evaluation.model_catalogue`.
- change what a search may try? `tuning.search_spaces`.
- change a score? `metrics` has one formula each, `evaluation.scores` says which cases,
  `schema.cell_views` takes the ratios.
- change what is published when? `evaluation.selection`: the choice and the gate;
  `evaluation.ensemble` applies the choice to every past month, `evaluation.recalibration` does the
  same for the intervals.
- change the street network? `models.streets.gldnet`; what it is shown: `tensors.street_inputs`;
  how it is trained: `training.gldnet_fit`. A street baseline? `models.streets.rules`. Which days
  judge whom: `evaluation.street_plan`; what is published when: `evaluation.street_gate`.
- change the report? `reporting`. The dashboard? `dashboard`: parts of the release in Python, the
  page in `dashboard/web`.
- change a published table? `schema.cell_tables`, `schema.selection_tables`,
  `schema.street_tables`, `schema.area_tables`, `schema.cell_views`, then `publication.release`.
- change when things run? `defs.schedules`; what the UI shows? `defs.assets_grid`, `defs.checks`.
"""
