// Whether the kernel behind a widget is still the one that made it.

const ENDED = new Set(["restarting", "autorestarting", "terminating", "dead"]);

/**
 * Calls `gone` once when the kernel restarts or ends. JupyterLab and Notebook 7 tell; elsewhere a page finds out by a click
 * that nothing answers (see `LiveView`). Returns what ends the watching.
 */
export function watch_kernel(model, gone) {
  const session = model.widget_manager?.context?.sessionContext;
  if (!session?.statusChanged?.connect) return () => {};
  const first = session.session?.kernel?.id;
  const listen = (_, status) => (ENDED.has(status) || changed()) && end(true);
  const changed = () => session.session?.kernel && first && session.session.kernel.id !== first;
  const lost = () => end(true);
  const end = (tell) => {
    session.statusChanged.disconnect(listen);
    session.kernelChanged?.disconnect(lost);
    if (tell) gone();
  };
  session.statusChanged.connect(listen);
  session.kernelChanged?.connect(lost);
  return () => end(false);
}
