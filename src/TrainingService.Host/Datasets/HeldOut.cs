namespace TrainingService.Host.Datasets;

/// <summary>
/// Which of some rows are held out: for the test of those of a data set, for validation of those that are left for training.
/// </summary>
public static class HeldOut
{
    /// <summary>
    /// The rows held out, and the others in an order of which any number can be taken from the end, all classes among them.
    /// </summary>
    /// <param name="table">What rows belong together, and when they were.</param>
    /// <param name="rows">Of the table.</param>
    /// <param name="count">How many to hold out; of groups, which stay whole, about as many and rather fewer.</param>
    /// <param name="seed">Equal seeds hold out the same.</param>
    public static (int[] Held, int[] Left) Of(Table table, int[] rows, int count, long seed)
    {
        if (table.Times.Length > 0)
        {
            var (held, earlier) = Latest(table.Times, rows, count);
            return (held, StratifiedOrder.Of(earlier, table.Labels, seed));
        }
        if (table.Groups.Length > 0)
        {
            var (held, others) = Groups(table.Groups, table.Labels, rows, count, seed);
            return (held, StratifiedOrder.Of(others, table.Labels, seed));
        }
        var order = StratifiedOrder.Of(rows, table.Labels, seed);
        return (order[..count], order[count..]);
    }

    /// <summary>The latest rows; of those at the same time, the last ones.</summary>
    public static (int[] Held, int[] Left) Latest(double[] times, int[] rows, int count)
    {
        var byTime = rows.OrderBy(row => times[row]).ToArray();
        return ([.. byTime[(rows.Length - count)..].Order()], [.. byTime[..(rows.Length - count)].Order()]);
    }

    /// <summary>
    /// Whole groups in the order in which <see cref="StratifiedOrder"/> puts them by their most frequent class, as long as they fit. What
    /// can't be: a group with all rows of a class that are left. Where none fits, the smallest that can be.
    /// </summary>
    public static (int[] Held, int[] Left) Groups(int[] groups, int[] labels, int[] rows, int count, long seed)
    {
        var all = GroupOf.All(groups, labels, rows);
        var left = new long[labels.Length == 0 ? 1 : labels.Max() + 1];
        foreach (var group in all)
            foreach (var (label, number) in group.Classes)
                left[label] += number;
        var taken = new HashSet<int>();
        var held = 0;
        bool MayTake(GroupOf group) => group.Classes.All(of => left[of.Label] > of.Rows);
        void Take(GroupOf group)
        {
            taken.Add(group.Code);
            held += group.Rows;
            foreach (var (label, number) in group.Classes)
                left[label] -= number;
        }

        foreach (var place in StratifiedOrder.Of([.. Enumerable.Range(0, all.Count)], [.. all.Select(group => group.Most)], seed))
        {
            if (held == count)
                break;
            if (held + all[place].Rows <= count && MayTake(all[place]))
                Take(all[place]);
        }
        if (held == 0 && count > 0 && all.Where(MayTake).MinBy(group => group.Rows) is { } smallest)
            Take(smallest);
        return ([.. rows.Where(row => taken.Contains(groups[row]))], [.. rows.Where(row => !taken.Contains(groups[row]))]);
    }

    /// <summary>A group among some rows.</summary>
    /// <param name="Code">Its number.</param>
    /// <param name="Rows">How many it has.</param>
    /// <param name="Most">Its most frequent class.</param>
    /// <param name="Classes">How many rows of each class; of one class where the target is a number.</param>
    private sealed record GroupOf(int Code, int Rows, int Most, IReadOnlyList<(int Label, int Rows)> Classes)
    {
        /// <summary>In the order of their codes.</summary>
        public static List<GroupOf> All(int[] groups, int[] labels, int[] rows)
        {
            var sorted = Array.ConvertAll(rows, row => (ulong)groups[row] << 32 | (uint)(labels.Length == 0 ? 0 : labels[row]));
            Array.Sort(sorted);
            var all = new List<GroupOf>();
            for (var at = 0; at < sorted.Length;)
            {
                var (code, begin, classes) = (sorted[at] >> 32, at, new List<(int Label, int Rows)>(1));
                while (at < sorted.Length && sorted[at] >> 32 == code)
                {
                    var (key, from) = (sorted[at], at);
                    while (at < sorted.Length && sorted[at] == key)
                        at++;
                    classes.Add(((int)(uint)key, at - from));
                }
                all.Add(new((int)code, at - begin, classes.MaxBy(of => of.Rows).Label, classes));
            }
            return all;
        }
    }
}
