"""Titles of the models, as a page writes them beside or instead of their names."""

MODEL_TITLES = {
    "champion": "Champion (policy)",  # re-chooses its model at every origin
    "convlstm": "ConvLSTM",
    "convlstm_log1p_mse": "ConvLSTM, log1p and MSE",
    "ensemble": "Ensemble",
    "empirical_bayes": "Empirical Bayes",
    "ewma": "EWMA",
    "gldnet": "GLDNet",
    "historical_average": "Historical average",
    "lightgbm": "LightGBM",
    "long_run_frequency": "Long-run frequency",
    "mean12_seasonal": "12-month mean, seasonal",
    **{f"rolling_mean_{months}": f"Rolling mean, {months} months" for months in (3, 6, 12, 24)},
    "st_resnet": "ST-ResNet",
    "st_resnet_log1p_mse": "ST-ResNet, log1p and MSE",
}


def model_title(model: str) -> str:
    """Title of a model; one without its own is its name in words: `Last month`."""
    words = model.replace("_", " ")
    return MODEL_TITLES.get(model, words[:1].upper() + words[1:])
