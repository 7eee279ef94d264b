// Light or dark: the system's choice until the button is used. A plain script in the head, so that nothing flashes.

(() => {
  const KEY = 'pulso-theme';
  const NEXT = /** @type {Record<string, string>} */ ({ auto: 'light', light: 'dark', dark: 'auto' });
  // Where storage is blocked the choice holds until the page is closed.
  let chosen = 'auto';

  function stored() {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null;
    }
  }

  /** @param {string} theme */
  function store(theme) {
    try {
      localStorage.setItem(KEY, theme);
    } catch (error) {
      console.info('The theme is not kept: this browser blocks storage.', error);
    }
  }

  function apply() {
    document.documentElement.dataset.theme = chosen;
    const button = document.getElementById('theme');
    if (button) button.textContent = `Theme: ${chosen}`;
    document.dispatchEvent(new CustomEvent('theme'));
  }

  const kept = stored();
  if (kept && kept in NEXT) chosen = kept;
  apply();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', apply);
  document.addEventListener('DOMContentLoaded', () => {
    apply();
    document.getElementById('theme')?.addEventListener('click', () => {
      chosen = NEXT[chosen];
      store(chosen);
      apply();
    });
  });
})();
