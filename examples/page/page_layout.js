/* page_layout.js: where the areas stand. An area is to the right of those it
 * has more protection than; an arrow that passes a column gets a place of its
 * own in it, so that it goes around the areas there. */

const GAP_X = 104, GAP_Y = 22, LANE = 15, END = 20, MARGIN = 24;

/* Columns by the longest way along the steps of the order. */
function rankAreas() {
  const rank = areas.map(() => 0);
  const bySize = [...areas].sort(
      (a, b) => a.attributes.length - b.attributes.length);

  for (const area of bySize) { // what is below has fewer attributes
    for (const step of model.overview.order) {
      if (step.from === area.id) {
        rank[step.to] = Math.max(rank[step.to], rank[area.id] + 1);
      }
    }
  }
  return rank;
}

/* Cells are areas, or lanes of an edge; stops lists the cells of an edge from
 * the left to the right. */
function makeCells(boxes, edges, rank) {
  const columns = [];
  const cells = boxes.map((box, i) => ({...box, rank: rank[i], next: []}));
  const put = (cell) => {
    (columns[cell.rank] = columns[cell.rank] || []).push(cell);
    return cell;
  };

  cells.forEach(put);
  for (const edge of edges) {
    const turned = rank[edge.from] > rank[edge.to];
    const left = cells[turned ? edge.to : edge.from];
    const right = cells[turned ? edge.from : edge.to];

    edge.turned = turned;
    edge.stops = [left];
    for (let r = left.rank + 1; r < right.rank; r++) {
      edge.stops.push(put({rank: r, width: 0, height: LANE, next: []}));
    }
    edge.stops.push(right);
    for (let i = 1; i < edge.stops.length; i++) {
      edge.stops[i].next.push(edge.stops[i - 1]);
      edge.stops[i - 1].next.push(edge.stops[i]);
    }
  }
  return {columns, cells};
}

/* Areas are as high as the ends at their sides need. */
function makeRoom(edges) {
  const ends = new Map();
  const add = (cell, side) => {
    const count = ends.get(cell) || {left: 0, right: 0};

    count[side]++;
    ends.set(cell, count);
    cell.height = Math.max(cell.height, (count[side] + 1) * END);
  };

  for (const {stops} of edges) {
    const last = stops[stops.length - 1];

    add(stops[0], 'right');
    add(last, last.rank === stops[0].rank ? 'right' : 'left');
  }
}

function mean(cell) {
  return cell.next.reduce((sum, other) => sum + other.y, 0) / cell.next.length;
}

/* Stack a column in its order, as near as can be to where each wants to be. */
function stack(column, wanted) {
  let low = -Infinity;

  column.forEach((cell, i) => {
    const space = cell.height / 2;

    cell.y = Math.max(wanted[i], low + space);
    low = cell.y + space + (cell.width ? GAP_Y : 4);
  });
  const drift = column.reduce((sum, cell, i) => sum + cell.y - wanted[i], 0) /
      column.length;
  for (const cell of column) {
    cell.y -= drift;
  }
}

function orderColumns(columns) {
  for (const column of columns) {
    stack(column, column.map(() => 0));
  }
  for (let round = 0; round < 24; round++) {
    const way = round % 2 ? [...columns].reverse() : columns;

    for (const column of way) {
      const wish = new Map(column.map(
          (cell) => [cell, cell.next.length ? mean(cell) : cell.y]));

      if (round < 16) { // then the order is settled, and only places change
        column.sort((a, b) => wish.get(a) - wish.get(b));
      }
      stack(column, column.map((cell) => wish.get(cell)));
    }
  }
}

/* Gives each area its middle (x, y) and each edge its stops; returns the size
 * of it all. */
function layOut(boxes, edges) {
  const {columns, cells} = makeCells(boxes, edges, rankAreas());
  let x = MARGIN, top = Infinity, bottom = -Infinity;

  makeRoom(edges);
  orderColumns(columns);
  for (const column of columns) {
    const width = Math.max(...column.map((cell) => cell.width));

    for (const cell of column) {
      cell.x = x + width / 2;
      cell.half = (cell.width || width) / 2;
      top = Math.min(top, cell.y - cell.height / 2);
      bottom = Math.max(bottom, cell.y + cell.height / 2);
    }
    x += width + GAP_X;
  }
  for (const cell of columns.flat()) {
    cell.y += MARGIN - top;
  }
  return {cells, width: x - GAP_X + MARGIN, height: bottom - top + 2 * MARGIN};
}
