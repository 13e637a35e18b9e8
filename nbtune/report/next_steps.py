"""What one does with a search that is over."""


def next_steps(name: str, in_folds: bool) -> str:
    """Lines for a cell that make use of the result of the search in this variable."""
    own = "the network of the best fold" if in_folds else "with the weights of its best epoch"
    more = f"{name}.oof                       # each row's answer, of the network that did not train on it\n" * in_folds
    return (
        f"model = {name}.best_model        # {own}\n"
        f"model = {name}.refit()           # trained anew on training and validation data together\n{more}"
        f'model.save("{name}.keras")       # keras.saving.load_model reads it\n'
        f"{name}.to_frame()                # every trial as a table\n"
        f'{name}.plot("confusion")         # its mistakes on the validation data; for numbers "residuals"\n'
        f'{name}.plot("parallel")          # the grid as a figure; also "grid", "slice", "importance", "curves"\n'
        f"{name}.evaluate(x_test, y_test)  # on rows that took no part; how often is counted"
    )
