// How much room a chart has, in units in which its small letters are seven high.

const LETTERS = 7;
const SMALL = 0.82; // of the size of the text around

/** Calls `changed({width, height})` when the element's width or the size of its text is another. */
export function watch_size(element, shape, changed) {
  let before = "";
  const measure = () => {
    const pixels = element.clientWidth;
    if (!pixels) return;
    const unit = (parseFloat(getComputedStyle(element).fontSize) * SMALL) / LETTERS;
    const width = Math.round(pixels / unit);
    const most = document.fullscreenElement ? (0.68 * window.innerHeight) / unit : 420;
    const height = Math.round(Math.min(shape * width, most));
    if (`${width} ${height}` === before) return;
    before = `${width} ${height}`;
    changed({ width, height });
  };
  const observer = new ResizeObserver(measure);
  observer.observe(element);
  return { measure, end: () => observer.disconnect() };
}
