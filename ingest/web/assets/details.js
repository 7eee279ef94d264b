// One event in full, in a dialog.

import { localTime, utcTime, zone } from './time.js';

/** @typedef {import('./rows.js').Row} Row */

export class Details {
  /** @type {Row | null} */ #row = null;

  /**
   * @param {HTMLDialogElement} dialog
   * @param {{filter: (values: Record<string, string>) => void, graph: (path: string) => void}} actions
   */
  constructor(dialog, actions) {
    this.dialog = dialog;
    dialog.addEventListener('click', (event) => {
      const button = /** @type {Element} */ (event.target).closest('button');
      if (!button || !this.#row) return;
      dialog.close();
      const [country, region, sensor] = this.#row.tag.split('.');
      if (button.name === 'sensor') actions.filter({ country, region, sensor });
      if (button.name === 'region') actions.filter({ country, region });
      if (button.name === 'graph') actions.graph(this.#row.tag);
    });
  }

  /** @param {Row} row */
  open(row) {
    this.#row = row;
    const texts = {
      tag: row.tag,
      timestamp: String(row.timestamp),
      local: `${localTime(row.timestamp)} ${zone()}`,
      utc: utcTime(row.timestamp),
      status: row.status,
      valor: row.valor,
    };
    for (const [name, text] of Object.entries(texts)) {
      /** @type {Element} */ (this.dialog.querySelector(`[data-field=${name}]`)).textContent = text;
    }
    this.dialog.showModal();
  }
}
