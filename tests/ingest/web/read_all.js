async (most) => {
  const scroller = document.querySelector('.scroller');
  const foot = document.querySelector('.foot');
  const seen = new Map();
  const deadline = Date.now() + 30000;
  const frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  while (Date.now() < deadline) {
    for (const line of document.querySelectorAll('.rows tr')) {
      const cells = [line.querySelector('time').title, ...[...line.cells].slice(1).map((cell) => cell.textContent)];
      const number = Number(line.ariaRowIndex);
      const before = seen.get(number);
      if (before && before.join() !== cells.join()) throw new Error(`row ${number} was ${before} and is ${cells}`);
      seen.set(number, cells);
    }
    if (seen.size >= most) break;
    const atEnd = scroller.scrollTop + scroller.clientHeight >= scroller.scrollHeight - 2;
    if (atEnd && foot.textContent.startsWith('That is all')) break;
    scroller.scrollTop += scroller.clientHeight * 0.8;
    await frame();
  }
  return [...seen].sort((a, b) => a[0] - b[0]);
}
